# Negative binomial and logistic models; quartiles.
source("tests/golden/write.R")
d <- read_data("counts.csv")
tight <- glm.control(epsilon = 1e-14, maxit = 200)
of <- function(model, fit) {
  b <- coef(summary(fit))[-1, , drop = FALSE]
  effects_of(model, rownames(b), b[, 1], b[, 2])
}
nb <- MASS::glm.nb(relapses ~ arm + I(age / 10) + before + offset(log(days / 365.25)), data = d, control = tight)
alone <- MASS::glm.nb(relapses ~ arm + offset(log(days / 365.25)), data = d, control = tight)
table <- rbind(cbind(of("adjusted", nb), theta = nb$theta), cbind(of("arm alone", alone), theta = alone$theta))
write_golden(table, "models_glmnb.csv", "models.R", "MASS")
s <- read_data("survival.csv")
s$arm <- factor(s$arm, levels = c("placebo", "low", "high"))
s$worse <- s$worse == "true"
yes <- glm(worse ~ arm + sex + I(age / 10) + edss, data = s, family = binomial, control = tight)
write_golden(of("adjusted", yes), "models_logistic.csv", "models.R")
describe <- do.call(rbind, lapply(c("all", "placebo", "low", "high"), function(g) {
  x <- s$age[(g == "all" | s$arm == g) & !is.na(s$age)]
  q <- quantile(x, c(0.25, 0.5, 0.75), type = 7)
  data.frame(group = g, n = length(x), mean = mean(x), sd = sd(x), low = q[[1]], median = q[[2]], high = q[[3]])
}))
write_golden(describe, "models_age.csv", "models.R")
