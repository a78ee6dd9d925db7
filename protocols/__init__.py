"""How agents interact: one module per protocol, each a LangGraph subgraph with typed parameters and a typed outcome."""
