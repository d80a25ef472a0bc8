// Exists so that the precompiled headers belong to a target; it has no code of its own.
