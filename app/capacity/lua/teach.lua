-- news (vendor, refusals, in use then).
learn(ARGV[4], ARGV[5], ARGV[6])
forget_the_dead()
serve()
return { standing() }
