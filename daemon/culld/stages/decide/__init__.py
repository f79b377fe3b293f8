"""Pure decisions: from scores and rules to a plan."""
