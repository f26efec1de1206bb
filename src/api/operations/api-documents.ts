import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { qiscusSecurity } from '../qiscus/qiscus-document.decorator.js';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The OpenAPI document of the running routes. `docs/api/openapi.json` holds it, and CI checks that it is fresh. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Rollcall')
    .setDescription(
      'The chat user system that you run yourself, in the dialects of Agora Chat (Easemob IM) and Qiscus.',
    )
    .setVersion('1')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An app token: a JWT from `/token`, or an AccessToken2',
    })
    .addApiKey({ type: 'apiKey', in: 'header', name: qiscusSecurity.appId }, qiscusSecurity.appId)
    .addApiKey({ type: 'apiKey', in: 'header', name: qiscusSecurity.secret }, qiscusSecurity.secret)
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** The document at `/docs/openapi.json` and a page to read and try it at `/docs`. */
export function serveApiDocuments(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Rollcall API',
  });
}
