"""Scoring: from addresses to a plan, from the plan to shards of rows."""
