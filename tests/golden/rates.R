# Exact limits of Poisson rates, by base R and by survival.
source("tests/golden/write.R")
cases <- data.frame(events = c(0L, 1L, 3L, 17L, 250L), years = c(12.5, 8, 41.25, 130, 1234.5))
exact <- t(mapply(function(k, y) poisson.test(k, y)$conf.int, cases$events, cases$years))
survival <- cipoisson(cases$events, cases$years)
table <- cbind(cases, lower = exact[, 1], upper = exact[, 2], ci_lower = survival[, 1], ci_upper = survival[, 2])
write_golden(table, "rates.csv", "rates.R", "survival")
