// Spares a press of the button that is there anyway.
document.querySelector('form[data-submit]').requestSubmit();
