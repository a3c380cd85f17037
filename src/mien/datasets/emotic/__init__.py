"""EMOTIC: people in their surroundings, in the four layouts that are about."""
