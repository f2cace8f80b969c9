"""Judged answers: pairs of a better and a worse one (DPO), and single ones with a thumb (KTO)."""
