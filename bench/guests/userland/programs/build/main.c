#include <stdio.h>

#include "config.h"

#ifndef HAVE_STDINT_H_UINT64_T
#error "the features were not found"
#endif

static const unsigned table[] = {
#include "tables.h"
};

int main(void)
{
    unsigned n = sizeof(table) / sizeof(table[0]), sum = 0;

    for (unsigned i = 0; i < n; i++) {
        sum = (sum * 31 + table[i]) % 65521;
    }
    printf("%u numbers, sum %u\n", n, sum);
    return 0;
}
