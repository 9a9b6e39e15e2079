"""The read side: tables, projectors, the engine that applies events, and the queries of the pages."""
