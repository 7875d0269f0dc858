"""Training: one trainer, its data, augmentation and losses, for every network of Lifemask."""
