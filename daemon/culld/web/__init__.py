"""The review page in the browser and its HTTP API, in a process that changes no photo and no journal."""
