# Kaplan-Meier, log-rank, restricted mean, Aalen-Johansen.
source("tests/golden/write.R")
d <- read_data("survival.csv")
d$arm <- factor(d$arm, levels = c("placebo", "low", "high"))
steps <- function(fit, group, cause, at) {
  pick <- function(x) if (is.matrix(x)) x[, at] else x
  risk <- if (is.matrix(fit$n.risk)) fit$n.risk[, 1] else fit$n.risk
  data.frame(group = group, cause = cause, day = fit$time, at_risk = risk, events = pick(fit$n.event),
             estimate = pick(if (is.null(fit$pstate)) fit$surv else fit$pstate), se = pick(fit$std.err),
             lower = pick(fit$lower), upper = pick(fit$upper))
}
km <- do.call(rbind, lapply(c("all", levels(d$arm)), function(g) {
  s <- if (g == "all") d else d[d$arm == g, ]
  steps(survfit(Surv(time, cause == 1) ~ 1, data = s, conf.type = "log-log"), g, "worsening", 1)
}))
write_golden(km, "curves_km.csv", "curves.R", "survival")

quantiles <- function(data, g, to) {
  s <- if (g == "all") data else data[data$arm == g, ]
  fit <- survfit(Surv(time, cause == 1) ~ 1, data = s, conf.type = "log-log")
  q <- quantile(fit, 0.5)
  t <- summary(fit, rmean = to)$table
  data.frame(group = g, n = nrow(s), events = sum(s$cause == 1), median = unname(q$quantile), lower = unname(q$lower), upper = unname(q$upper),
             to = to, rmean = t[["rmean"]], se = t[["se(rmean)"]])
}
shortest <- min(tapply(d$time, d$arm, max))
table <- do.call(rbind, c(
  lapply(levels(d$arm), function(g) quantiles(d, g, shortest)),
  lapply(levels(d$arm), function(g) quantiles(d, g, 500)),
  list(quantiles(d, "all", max(d$time)))
))
write_golden(table, "curves_quantiles.csv", "curves.R", "survival")

three <- survdiff(Surv(time, cause == 1) ~ arm, data = d)
two <- survdiff(Surv(time, cause == 1) ~ sex, data = d)
tests <- data.frame(by = c("arm", "sex"), statistic = c(three$chisq, two$chisq), df = c(2L, 1L),
                    p = pchisq(c(three$chisq, two$chisq), c(2, 1), lower.tail = FALSE))
write_golden(tests, "curves_logrank.csv", "curves.R", "survival")

state <- factor(d$cause, 0:2, c("none", "worsening", "stop"))
aj <- do.call(rbind, lapply(c("all", levels(d$arm)), function(g) {
  keep <- g == "all" | d$arm == g
  fit <- survfit(Surv(d$time[keep], state[keep]) ~ 1, conf.type = "log-log")
  rbind(steps(fit, g, "worsening", 2), steps(fit, g, "stop", 3))
}))
write_golden(aj, "curves_aj.csv", "curves.R", "survival")
# People with an event only: nobody is censored, so the first level of the causes has nobody.
keep <- d$cause > 0
fit <- survfit(Surv(d$time[keep], state[keep]) ~ 1, conf.type = "log-log")
write_golden(rbind(steps(fit, "all", "worsening", 2), steps(fit, "all", "stop", 3)), "curves_aj_uncensored.csv", "curves.R", "survival")
# The same shares from a second package, at three days.
second <- cmprsk::timepoints(cmprsk::cuminc(d$time, d$cause, d$arm, cencode = 0), c(182, 365, 730))$est
table <- data.frame(curve = rep(rownames(second), 3), day = rep(as.integer(colnames(second)), each = nrow(second)), estimate = as.vector(second))
write_golden(table, "curves_cuminc.csv", "curves.R", "cmprsk")
