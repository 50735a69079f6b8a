"""One caller from webhook to hang-up, and how many at once."""
