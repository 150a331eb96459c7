# Exact limits of Poisson rates, by base R and by survival.
source("tests/golden/write.R")
cases <- data.frame(events = c(0L, 1L, 3L, 17L, 250L), years = c(12.5, 8, 41.25, 130, 1234.5))
exact <- t(mapply(function(k, y) poisson.test(k, y)$conf.int, cases$events, cases$years))
survival <- cipoisson(cases$events, cases$years)
table <- cbind(cases, lower = exact[, 1], upper = exact[, 2], ci_lower = survival[, 1], ci_upper = survival[, 2])
write_golden(table, "rates.csv", "rates.R", "survival")
# Wilson's limits of shares: prop.test without its continuity correction.
shares <- data.frame(n = c(0L, 1L, 12L, 44L, 5L, 999L), out_of = c(12L, 12L, 12L, 184L, 7L, 1000L))
wilson <- suppressWarnings(t(mapply(function(n, out_of) prop.test(n, out_of, correct = FALSE)$conf.int, shares$n, shares$out_of)))
write_golden(cbind(shares, lower = wilson[, 1], upper = wilson[, 2]), "rates_shares.csv", "rates.R")
