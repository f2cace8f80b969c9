"""Operations with gradients of their own, each used where it was measured to be faster than the library's."""
