"""What happens by itself: the schedule, the leases that keep one run at a time, and the runs on record."""
