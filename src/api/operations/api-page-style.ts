/** Removes what gets in the way in Swagger UI: banner, empty column, single-option select, overflowing lines. */
export const pageStyle = `
.swagger-ui .topbar, .swagger-ui .response-undocumented, .swagger-ui .response-col_links,
.swagger-ui .response-control-media-type { display: none }
.swagger-ui .info { margin: 30px 0 20px }
.swagger-ui .scheme-container { padding: 15px 0 }
.swagger-ui .curl code { white-space: pre-wrap !important; overflow-wrap: anywhere }
.swagger-ui .dialog-ux .modal-ux-content { max-height: 85vh }
@media (max-width: 640px) {
  .swagger-ui .parameters-col_description, .swagger-ui .response-col_description { min-width: 0 }
  .swagger-ui .parameters-col_description input[type=text] { max-width: 100% }
}`;

/** A name on a list, ticked off. */
export const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f6feb"/>' +
    '<path d="M4 8.5l2.7 2.7L12 5.5" fill="none" stroke="#fff" stroke-width="2"/></svg>',
)}`;
