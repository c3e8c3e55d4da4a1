"""The console's HTTP interface: one router a noun."""
