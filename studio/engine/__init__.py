"""Everything that needs torch: loading, training, generating, converting. Imported by workers only."""
