# Mean cumulative count: robust errors of the cumulative hazard with id; the same from a second package.
source("tests/golden/write.R")
r <- read_data("recurrent.csv")
table <- do.call(rbind, lapply(c("all", "old", "new"), function(g) {
  s <- if (g == "all") r else r[r$arm == g, ]
  fit <- survfit(Surv(start, stop, event) ~ 1, data = s, id = patient, robust = TRUE)
  data.frame(group = g, day = fit$time, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor, estimate = fit$cumhaz, se = fit$std.chaz)
}))
write_golden(table, "recurrent_mean.csv", "recurrent.R", "survival")
suppressPackageStartupMessages(library(mets))
# mets takes tied events one after the other, so ties are broken first: a thousand steps a day, and a step of their own for each person.
own <- as.integer(factor(r$patient))
r$start <- ifelse(r$start == 0, 0, r$start * 1000 + own)
r$stop <- r$stop * 1000 + own
fit <- recurrentMarginal(phreg(Event(start, stop, event) ~ cluster(patient), data = r), phreg(Event(start, stop, event * 0) ~ cluster(patient), data = r))
steps <- c(100, 200, 400, 600) * 1000
at <- sapply(steps, function(step) max(which(fit$times <= step)))
table <- data.frame(step = as.integer(steps), estimate = fit$mu[at], se = fit$se.mu[at])
write_golden(table, "recurrent_mets.csv", "recurrent.R", "mets")
