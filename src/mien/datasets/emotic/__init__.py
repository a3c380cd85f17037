"""EMOTIC: people in their surroundings, in the four layouts that are in use."""
