"""Ray: the session, the nodes of a cluster, and the actors that score shards."""
