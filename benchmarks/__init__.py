"""What the product costs, measured beside a floor in hand-tuned SQL and beside another engine: ``python -m benchmarks``."""
