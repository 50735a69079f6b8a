"""What it takes to run hotline somewhere: images, balancers, fleets."""
