# Interval censoring: nonparametric estimate (npsurv; R's survfit beside it), and accelerated failure time models.
source("tests/golden/write.R")
suppressPackageStartupMessages(library(npsurv))
d <- read_data("survival.csv")
d$arm <- factor(d$arm, levels = c("placebo", "low", "high"))
d$left <- ifelse(d$cause == 1, d$free, d$time)
d$right <- ifelse(d$cause == 1, d$time, Inf)
np <- do.call(rbind, lapply(c("all", levels(d$arm)), function(g) {
  s <- if (g == "all") d else d[d$arm == g, ]
  m <- npsurv(cbind(s$left, s$right), tol = 1e-12, maxit = 10000)
  data.frame(group = g, start = m$f$left, end = m$f$right, mass = m$f$p, ll = m$ll)
}))
np$end <- ifelse(is.finite(np$end), np$end, NA)
write_golden(np, "intervals_npsurv.csv", "intervals.R", "npsurv")
s <- survfit(Surv(left, ifelse(is.finite(right), right, NA), type = "interval2") ~ 1, data = d)
write_golden(data.frame(day = s$time, estimate = s$surv), "intervals_survfit.csv", "intervals.R", "survival")
full <- d[complete.cases(d[c("age", "sex")]), ]
y <- with(full, Surv(ifelse(left == 0, NA, left), ifelse(is.finite(right), right, NA), type = "interval2"))
table <- do.call(rbind, lapply(c("weibull", "exponential", "lognormal", "loglogistic"), function(dist) {
  fit <- survreg(y ~ arm + sex + I(age / 10) + edss, data = full, dist = dist, control = survreg.control(rel.tolerance = 1e-13, maxiter = 100))
  cbind(effects_of(dist, names(coef(fit))[-1], coef(fit)[-1], sqrt(diag(vcov(fit)))[seq_along(coef(fit))][-1]), scale = fit$scale)
}))
fit <- survreg(Surv(time, cause == 1) ~ arm + sex + I(age / 10) + edss, data = full, control = survreg.control(rel.tolerance = 1e-13, maxiter = 100))
exact <- effects_of("exact weibull", names(coef(fit))[-1], coef(fit)[-1], sqrt(diag(vcov(fit)))[seq_along(coef(fit))][-1])
table <- rbind(table, cbind(exact, scale = fit$scale))
# First events come late: R's own start does not lead to the end ("Ran out of iterations"), the log-normal fit does.
y <- with(full, Surv(left + 1400, ifelse(is.finite(right), right + 1400, NA), type = "interval2"))
tight <- survreg.control(rel.tolerance = 1e-13, maxiter = 100)
near <- survreg(y ~ arm + sex + I(age / 10) + edss, data = full, dist = "lognormal", control = tight)
fit <- survreg(y ~ arm + sex + I(age / 10) + edss, data = full, control = tight, init = c(coef(near), log(near$scale)))
late <- effects_of("late weibull", names(coef(fit))[-1], coef(fit)[-1], sqrt(diag(vcov(fit)))[seq_along(coef(fit))][-1])
table <- rbind(table, cbind(late, scale = fit$scale))
write_golden(table, "intervals_survreg.csv", "intervals.R", "survival")
