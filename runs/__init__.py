"""Running one graph or many items: sessions, results, exports."""
