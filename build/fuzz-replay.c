/*
 * fuzz-replay: run a fuzz target over files, without libFuzzer
 *
 * The same LLVMFuzzerTestOneInput() that clang's libFuzzer drives is linked with this main(), so that `make check`
 * replays each corpus under gcc's sanitizers on a machine without clang. Each input is copied to a heap block of
 * its exact size, so that reading one byte too far is seen.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rbe");
	uint8_t *data;

	if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "fuzz-replay: %s: %s\n", path, f ? "not a file" : strerror(errno));
		if (f)
			fclose(f);
		return -1;
	}
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		fprintf(stderr, "fuzz-replay: %s: cannot be read\n", path);
		free(data);
		fclose(f);
		return -1;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	if (argc < 2 || !strcmp(argv[1], "--help")) {
		fprintf(stderr, "usage: %s FILE...   run the fuzz target on each file\n", argv[0]);
		return argc < 2 ? 2 : 0;
	}
	for (i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	return bad ? 1 : 0;
}
