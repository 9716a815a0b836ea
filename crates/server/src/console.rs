//! Pages for a browser, made of answers. The room is empty: the daemon serves no pages.
