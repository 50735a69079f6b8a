-- ids, held or waiting; both are over.
for i = 4, #ARGV do leave(ARGV[i]) end
forget_the_dead()
serve()
return { standing() }
