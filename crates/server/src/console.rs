//! Pages for a browser, made from answers. The room is empty: the daemon serves no pages.
