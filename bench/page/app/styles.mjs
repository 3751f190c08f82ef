/*
 * Style sheets of a library that writes them as it goes, under a policy that
 * forbids style elements: the terminal is given a document whose style elements
 * become style sheets made by script, which are allowed, and whose attribute
 * `style` is set through the object that is allowed, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

const create = Document.prototype.createElement;

/* An element without a look, whose text is a style sheet. */
function styleElement() {
    const sheet = new CSSStyleSheet();
    const element = create.call(document, 'meta');
    let text = '';
    const adopt = (sheets) => { document.adoptedStyleSheets = sheets; };
    adopt([...document.adoptedStyleSheets, sheet]);
    Object.defineProperty(element, 'textContent', {
        get: () => text,
        set(value) {
            text = value;
            sheet.replaceSync(value);
        },
    });
    const remove = element.remove.bind(element);
    element.remove = () => {
        adopt(document.adoptedStyleSheets.filter((other) => other !== sheet));
        remove();
    };
    return element;
}

function setAttribute(name, value) {
    if (name === 'style') {
        this.style.cssText = value;
    } else {
        Element.prototype.setAttribute.call(this, name, value);
    }
}

function createElement(name, ...rest) {
    if (name === 'style') {
        return styleElement();
    }
    const element = create.call(document, name, ...rest);
    if (name === 'span') {
        element.setAttribute = setAttribute;
    }
    return element;
}

export function documentForLibrary() {
    return new Proxy(document, {
        get(target, name) {
            if (name === 'createElement') {
                return createElement;
            }
            const value = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
        },
        set: (target, name, value) => Reflect.set(target, name, value, target),
    });
}

/* The same for what the library makes by the page's own document meanwhile. */
export function withStyles(action) {
    document.createElement = createElement;
    try {
        return action();
    } finally {
        delete document.createElement;
    }
}
