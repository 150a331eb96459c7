# Cox, proportional hazards, start-stop and Andersen-Gill with clusters, Fine-Gray.
source("tests/golden/write.R")
d <- read_data("survival.csv")
d$arm <- factor(d$arm, levels = c("placebo", "low", "high"))
full <- d[complete.cases(d[c("age", "sex")]), ]
of <- function(model, fit) effects_of(model, names(coef(fit)), coef(fit), sqrt(diag(vcov(fit))))
zph <- function(model, fit) {
  z <- cox.zph(fit, transform = "km")$table
  data.frame(model = model, term = rownames(z), statistic = z[, "chisq"], df = as.integer(z[, "df"]), p = z[, "p"])
}
adjusted <- coxph(Surv(time, cause == 1) ~ arm + sex + I(age / 10) + edss, data = d, ties = "efron")
alone <- coxph(Surv(time, cause == 1) ~ arm, data = d, ties = "efron")
r <- read_data("recurrent.csv")
r$arm <- factor(r$arm, levels = c("old", "new"))
ag <- coxph(Surv(start, stop, event) ~ arm + I(age / 10) + treated, data = r, cluster = patient, ties = "efron")
# The first event only, treatment changing over time: model-based errors.
r$before <- ave(r$event, r$patient, FUN = function(x) cumsum(x) - x)
first <- r[r$before == 0, ]
timed <- coxph(Surv(start, stop, event) ~ arm + treated, data = first, ties = "efron")
effects <- rbind(of("adjusted", adjusted), of("arm alone", alone), of("andersen-gill", ag), of("time-varying first", timed))
write_golden(effects, "cox_effects.csv", "cox.R", "survival")
checks <- rbind(zph("adjusted", adjusted), zph("arm alone", alone), zph("andersen-gill", ag))
write_golden(checks, "cox_zph.csv", "cox.R", "survival")

full$state <- factor(full$cause, 0:2, c("none", "worsening", "stop"))
spread <- finegray(Surv(time, state) ~ arm + sex + age + edss + patient, data = full, etype = "worsening")
fg <- coxph(Surv(fgstart, fgstop, fgstatus) ~ arm + sex + I(age / 10) + edss, data = spread, weights = fgwt, cluster = patient, ties = "efron")
# Nobody censored: the weights are all 1.
happened <- full[full$cause > 0, ]
spread <- finegray(Surv(time, state) ~ arm + patient, data = happened, etype = "worsening")
uncensored <- coxph(Surv(fgstart, fgstop, fgstatus) ~ arm, data = spread, weights = fgwt, cluster = patient, ties = "efron")
x <- model.matrix(~ arm + sex + I(age / 10) + edss, full)[, -1]
crr <- cmprsk::crr(full$time, full$cause, x, failcode = 1, cencode = 0)
table <- rbind(of("finegray", fg), of("uncensored", uncensored), effects_of("crr", colnames(x), crr$coef, sqrt(diag(crr$var))))
write_golden(table, "cox_finegray.csv", "cox.R", c("survival", "cmprsk"))

# A level without events: its coefficient runs to minus infinity, the others converge.
full$cause[full$arm == "high" & full$cause == 1] <- 0
full$state <- factor(full$cause, 0:2, c("none", "worsening", "stop"))
spread <- finegray(Surv(time, state) ~ arm + edss + patient, data = full, etype = "worsening")
formula <- Surv(fgstart, fgstop, fgstatus) ~ arm + edss
fg <- suppressWarnings(coxph(formula, data = spread, weights = fgwt, cluster = patient, control = coxph.control(iter.max = 30)))
plain <- suppressWarnings(coxph(Surv(time, cause == 1) ~ arm + edss, data = full, control = coxph.control(iter.max = 30)))
table <- rbind(of("finegray", fg), of("cox", plain))
write_golden(table[table$name != "armhigh", ], "cox_level_without_events.csv", "cox.R", "survival")
