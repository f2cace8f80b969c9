"""What a user will like or choose next: matrix factorisation of ratings, and a Transformer over sequences."""
