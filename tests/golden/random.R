# Every estimator on cohorts at the edge: heavy ties, a few days, tiny groups, few events, late entry and gaps.
source("tests/golden/write.R")
everyone <- read_data("random.csv")
everything <- read_data("random_episodes.csv")
out <- list()
add <- function(cohort, what, key, value) out[[length(out) + 1]] <<- data.frame(cohort = cohort, what = what, key = key, value = as.numeric(unname(value)))
model <- function(cohort, what, fit, keep = names(coef(fit))) {
  at <- match(keep, names(coef(fit)))
  add(cohort, what, paste(keep, "coef"), coef(fit)[at])
  add(cohort, what, paste(keep, "se"), sqrt(diag(vcov(fit)))[at])
}
# Levels without an event have no estimate; their people are left out.
with_events <- function(data, event) {
  data$arm <- factor(data$arm)
  droplevels(data[data$arm %in% names(which(tapply(event, data$arm, sum) > 0)), ])
}
many <- coxph.control(iter.max = 50)
tight <- survreg.control(rel.tolerance = 1e-13, maxiter = 200)
for (cohort in unique(everyone$cohort)) {
  d <- everyone[everyone$cohort == cohort, ]
  d$state <- factor(d$cause, 0:2)
  at <- as.integer(quantile(d$time, c(0.25, 0.5, 0.75), type = 1))
  km <- survfit(Surv(time, cause == 1) ~ 1, data = d, conf.type = "log-log")
  s <- summary(km, times = at)
  add(cohort, "km", paste(at, "estimate"), s$surv)
  add(cohort, "km", paste(at, "at_risk"), s$n.risk)
  add(cohort, "km", "median", quantile(km, 0.5)$quantile)
  mean <- summary(km, rmean = at[3])$table
  add(cohort, "km", c("rmean", "rmean se"), mean[c("rmean", "se(rmean)")])
  aj <- survfit(Surv(time, state) ~ 1, data = d, conf.type = "log-log")
  s <- summary(aj, times = at)
  for (k in 1:2) {
    add(cohort, "aj", paste(k, at, "estimate"), s$pstate[, k + 1])
    add(cohort, "aj", paste(k, at, "lower"), s$lower[, k + 1])
    add(cohort, "aj", paste(k, at, "upper"), s$upper[, k + 1])
  }
  add(cohort, "logrank", "chisq", survdiff(Surv(time, cause == 1) ~ arm, data = d)$chisq)
  e <- with_events(d, d$cause == 1)
  right <- if (nlevels(e$arm) > 1) "arm + age + edss" else "age + edss"
  fit <- coxph(as.formula(paste("Surv(time, cause == 1) ~", right)), data = e, control = many)
  model(cohort, "cox", fit)
  z <- cox.zph(fit, transform = "km")$table
  add(cohort, "zph", rownames(z), z[, "chisq"])
  # Weights from everybody, also from those of levels without an event.
  spread <- finegray(Surv(time, state) ~ arm + age + edss + patient, data = d, etype = "1")
  spread <- droplevels(spread[spread$arm %in% levels(e$arm), ])
  fit <- coxph(as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", right)), data = spread, weights = fgwt, cluster = patient, control = many)
  model(cohort, "finegray", fit)
  if (cohort != "a few days") {
    y <- with(e, Surv(ifelse(cause == 1, ifelse(free == 0, NA, free), time), ifelse(cause == 1, time, NA), type = "interval2"))
    near <- survreg(as.formula(paste("y ~", right)), data = e, dist = "lognormal", control = tight)
    fit <- survreg(as.formula(paste("y ~", right)), data = e, control = tight, init = c(coef(near), log(near$scale)))
    model(cohort, "weibull", fit, names(coef(fit))[-1])
  }
  r <- everything[everything$cohort == cohort, ]
  rest <- with_events(r, r$event)
  right <- if (nlevels(rest$arm) > 1) "arm + age + changing" else "age + changing"
  model(cohort, "andersen-gill", coxph(as.formula(paste("Surv(start, stop, event) ~", right)), data = rest, cluster = patient, control = many))
  mean <- survfit(Surv(start, stop, event) ~ 1, data = r, id = patient, robust = TRUE)
  last <- max(which(mean$n.event > 0))
  add(cohort, "mean count", c("day", "estimate", "se"), c(mean$time[last], mean$cumhaz[last], mean$std.chaz[last]))
}
write_golden(do.call(rbind, out), "random_results.csv", "random.R", "survival")
