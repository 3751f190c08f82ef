#!/bin/sh
# emcc without most of its cost, for the builds of the recipes (emscripten.py).
#
# emcc is a Python program: to compile a file it starts Python, which starts
# clang with flags that never change; to link a probe of a configure script it
# also starts Node, which lists the same symbols every time. This script starts
# clang and wasm-ld itself, with what emcc said once that it gives them:
#     cflags      emcc's flags for clang, one line
#     link        emcc's arguments for wasm-ld, but for the output and the inputs
#     probing     exists while something is configured: programs are probes
# all in this script's directory. Whatever is not plainly a compilation or a
# probe goes to emcc.

set -eu

here=${0%/*}
wrapper=${EM_COMPILER_WRAPPER:-}
[ ! -e "$here/probing" ] || wrapper=

emcc() {
    exec /usr/bin/emcc "$@"
}

linking=yes
for word; do
    case $word in
    -c | -E | -S | -fsyntax-only) linking= ;;
    -v | -### | -shared | -r | -fsanitize* | -flto* | --version | --cflags | @* | \
        -print* | -dump[mv]*) emcc "$@" ;;
    esac
done
if [ -n "$linking" ] && ! [ -e "$here/probing" ]; then
    emcc "$@"
fi

read -r flags <"$here/cflags"

if [ -z "$linking" ]; then
    left=$#
    while [ "$left" -gt 0 ]; do
        word=$1
        shift
        left=$((left - 1))
        case $word in
        # settings, which are in cflags as far as they concern clang, and a warning
        # of emcc's own
        -s[A-Z]* | -Wno-experimental) ;;
        *) set -- "$@" "$word" ;;
        esac
    done
    # Lists of words.
    # shellcheck disable=SC2086
    exec $wrapper /usr/bin/clang-19 $flags "$@" ${EMCC_CFLAGS:-}
fi

# emcc knows libraries that are not files, as -lm.
has_library() {
    library=$1
    shift
    for option; do
        case $option in
        -L*) [ ! -f "${option#-L}/lib$library.a" ] || return 0 ;;
        esac
    done
    return 1
}

for word; do
    case $word in
    -l*) has_library "${word#-l}" "$@" || emcc "$@" ;;
    esac
    case $word in
    *.c | *.o | *.a | -[ILDUlWfmOg]* | -o | -std=* | -pthread | -w | -s[A-Z]* | \
        --oformat=bare | --js-library=*) ;;
    # what follows -o or -I
    [!-]*) ;;
    *) emcc "$@" ;;
    esac
    case $word in
    -Wl,--wrap=* | -Wl,--undefined=* | -Wl,--start-group | -Wl,--end-group) ;;
    -Wl,*) emcc "$@" ;;
    esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
left=$#
number=0
sources=
output=a.out
finish=yes
: >"$scratch/inputs"
input() {
    printf '"%s"\n' "$1" >>"$scratch/inputs"
}
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    *.c)
        number=$((number + 1))
        cp "$word" "$scratch/$number.c"
        case $word in
        */*) set -- "$@" "-I${word%/*}" ;;
        *) set -- "$@" -I. ;;
        esac
        sources="$sources $number"
        input "$scratch/$number.o"
        ;;
    *.o | *.a | -[lL]*) input "$word" ;;
    # emcc keeps groups from wasm-ld, which reads libraries as often as it must
    -Wl,--start-group | -Wl,--end-group) ;;
    -Wl,*) input "${word#-Wl,}" ;;
    -o)
        output=$1
        shift
        left=$((left - 1))
        ;;
    --oformat=bare) finish= ;;
    -s[A-Z]* | --js-library=* | -Wno-experimental) ;;
    *) set -- "$@" "$word" ;;
    esac
done
for number in $sources; do
    # shellcheck disable=SC2086
    /usr/bin/clang-19 $flags "$@" ${EMCC_CFLAGS:-} -c "$scratch/$number.c" \
        -o "$scratch/$number.o"
done
/usr/bin/wasm-ld-19 -o "$output" "@$scratch/inputs" "@$here/link"
# It refuses programs that wasm-ld made of functions declared wrongly, so emcc does.
if [ -n "$finish" ]; then
    /usr/bin/wasm-emscripten-finalize --detect-features --dyncalls-i64 \
        --pass-arg=legalize-js-interface-exported-helpers \
        "$output" -o "$scratch/finished"
fi
