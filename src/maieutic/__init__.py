"""maieutic: agents that teach, debate and route along LangGraph state machines, over any LiteLLM model."""
