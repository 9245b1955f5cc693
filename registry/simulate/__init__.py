"""What each way of choosing visits would have found: two years of a synthetic district. docs/simulation.md."""
