OBJECTS = $(patsubst src/%.c,build/%.o,$(wildcard src/*.c))
CFLAGS = -O1 -g -Iinclude -MMD -Wall
program: $(OBJECTS) libparts.a
	$(CC) -o $@ build/main.o -L. -lparts
libparts.a: $(filter-out build/main.o,$(OBJECTS))
	$(AR) rcsD $@ $^
build/%.o: src/%.c | build
	$(CC) $(CFLAGS) -c -o $@ $<
build:
	mkdir -p $@
clean:
	rm -rf build program libparts.a
-include $(OBJECTS:.o=.d)
