/* What gcc compiles in the workload gcc: an interpreter of arithmetic. */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { NUMBER, NAME, BINARY, CALL } Kind;

typedef struct Node {
    Kind kind;
    char op;
    double value;
    char name[16];
    struct Node *left, *right;
} Node;

typedef struct Parser {
    const char *at;
    unsigned made;
} Parser;

typedef struct Variable {
    char name[16];
    double value;
} Variable;

static Variable variables[16];
static size_t n_variables;

static Node *new_node(Parser *parser, Kind kind)
{
    Node *node = calloc(1, sizeof(*node));

    if (!node) {
        exit(2);
    }
    node->kind = kind;
    parser->made++;
    return node;
}

static void skip(Parser *parser)
{
    while (isspace((unsigned char)*parser->at)) {
        parser->at++;
    }
}

static bool take(Parser *parser, char c)
{
    skip(parser);
    if (*parser->at != c) {
        return false;
    }
    parser->at++;
    return true;
}

static Node *sum(Parser *parser);

static Node *primary(Parser *parser)
{
    Node *node;

    skip(parser);
    if (take(parser, '(')) {
        node = sum(parser);
        take(parser, ')');
        return node;
    }
    if (isalpha((unsigned char)*parser->at)) {
        size_t n = 0;

        node = new_node(parser, NAME);
        while (isalnum((unsigned char)*parser->at) &&
               n < sizeof(node->name) - 1) {
            node->name[n++] = *parser->at++;
        }
        if (take(parser, '(')) {
            node->kind = CALL;
            node->left = sum(parser);
            take(parser, ')');
        }
        return node;
    }
    node = new_node(parser, NUMBER);
    node->value = strtod(parser->at, (char **)&parser->at);
    return node;
}

static Node *binary(Parser *parser, const char *ops, Node *(*next)(Parser *))
{
    Node *left = next(parser);

    for (;;) {
        Node *node;
        char op;

        skip(parser);
        op = *parser->at;
        if (!op || !strchr(ops, op)) {
            return left;
        }
        parser->at++;
        node = new_node(parser, BINARY);
        node->op = op;
        node->left = left;
        node->right = next(parser);
        left = node;
    }
}

static Node *power(Parser *parser)
{
    return binary(parser, "^", primary);
}

static Node *product(Parser *parser)
{
    return binary(parser, "*/", power);
}

static Node *sum(Parser *parser)
{
    return binary(parser, "+-", product);
}

static double look_up(const char *name)
{
    for (size_t i = 0; i < n_variables; i++) {
        if (!strcmp(variables[i].name, name)) {
            return variables[i].value;
        }
    }
    return 0;
}

static void set(const char *name, double value)
{
    Variable *variable = &variables[n_variables++];

    snprintf(variable->name, sizeof(variable->name), "%s", name);
    variable->value = value;
}

static double call(const char *name, double x)
{
    static const struct {
        const char *name;
        double (*run)(double);
    } known[] = {
        { "sqrt", sqrt },
        { "floor", floor },
        { "fabs", fabs },
        { "ceil", ceil },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(known[i].name, name)) {
            return known[i].run(x);
        }
    }
    return x;
}

static double evaluate(const Node *node)
{
    double left, right;

    switch (node->kind) {
    case NUMBER:
        return node->value;
    case NAME:
        return look_up(node->name);
    case CALL:
        return call(node->name, evaluate(node->left));
    case BINARY:
        break;
    }
    left = evaluate(node->left);
    right = evaluate(node->right);
    switch (node->op) {
    case '+':
        return left + right;
    case '-':
        return left - right;
    case '*':
        return left * right;
    case '/':
        return right != 0 ? left / right : 0;
    default:
        return pow(left, right);
    }
}

static void release(Node *node)
{
    if (node) {
        release(node->left);
        release(node->right);
        free(node);
    }
}

int main(void)
{
    static const char *const lines[] = {
        "1 + 2 * 3 - 4 / 8",
        "(x + y) * (x - y) ^ 2",
        "sqrt(x * x + y * y) / floor(z + 0.75)",
        "fabs(0 - z) ^ 3 + ceil(x / 7)",
        "((x + 1) * (y + 2) - (z + 3)) / (x * y * z)",
    };
    set("x", 3);
    set("y", 4);
    set("z", 2.5);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        Parser parser = { .at = lines[i] };
        Node *tree = sum(&parser);
        double value = evaluate(tree);

        printf("%s = %.6f (%u nodes)\n", lines[i], value, parser.made);
        release(tree);
    }
    return 0;
}
