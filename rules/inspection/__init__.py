"""How often a class is visited, and what that takes. Pure: a table, sizes and days in; numbers, or a refusal, out."""
