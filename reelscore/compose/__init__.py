"""From a brief to a score: harmony, melody, rhythm and arrangement on the brief's tempo map."""
