"""YAML to a checked spec to LangGraph; expressions; drawing."""
