/*
 * Lets a library make style sheets although the page's policy forbids style elements:
 * the terminal gets a document whose style elements become style sheets made by script,
 * which the policy allows. The document sets the attribute `style` by way of the
 * element's style object, which the policy allows, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

const create = Document.prototype.createElement;

/** An element that shows nothing, whose text is a style sheet. */
function styleElement() {
    const sheet = new CSSStyleSheet();
    const element = create.call(document, 'meta');
    let text = '';
    /** @param {CSSStyleSheet[]} sheets */
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

/**
 * @this {HTMLElement}
 * @param {string} name
 * @param {string} value
 */
function setAttribute(name, value) {
    if (name === 'style') {
        this.style.cssText = value;
    } else {
        Element.prototype.setAttribute.call(this, name, value);
    }
}

/**
 * @param {string} name
 * @param {ElementCreationOptions} [options]
 */
function createElement(name, options) {
    if (name === 'style') {
        return styleElement();
    }
    const element = create.call(document, name, options);
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

/**
 * Do something while the page's own document makes such elements, too.
 *
 * @template T
 * @param {() => T} action
 */
export function withStyles(action) {
    Object.assign(document, { createElement });
    try {
        return action();
    } finally {
        Reflect.deleteProperty(document, 'createElement');
    }
}
