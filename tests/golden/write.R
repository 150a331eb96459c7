# What the scripts beside this file share: writing a table with all digits, and under it what made it.
suppressPackageStartupMessages(library(survival))
golden <- "tests/golden"

write_golden <- function(table, name, script, packages = character(0)) {
  number <- vapply(table, is.double, TRUE)
  table[number] <- lapply(table[number], function(x) ifelse(is.na(x), "", format(x, digits = 15, trim = TRUE, scientific = TRUE)))
  table[] <- lapply(table, function(x) ifelse(is.na(x), "", as.character(x)))
  versions <- vapply(packages, function(p) paste(p, packageVersion(p)), "")
  file <- file(file.path(golden, name), "w")
  writeLines(paste0("# ", script, "; R ", getRversion(), if (length(versions)) paste0(", ", paste(versions, collapse = ", "))), file)
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  close(file)
}

read_data <- function(name) read.csv(file.path(golden, name), na.strings = "", stringsAsFactors = FALSE)

# One row a coefficient of a model: as summary() has them, with Wald limits.
effects_of <- function(model, names, beta, se) {
  data.frame(model = model, name = names, coef = unname(beta), se = unname(se), estimate = exp(unname(beta)),
             lower = exp(unname(beta) - qnorm(0.975) * unname(se)), upper = exp(unname(beta) + qnorm(0.975) * unname(se)),
             p = 2 * pnorm(-abs(unname(beta / se))))
}
