/** A parameter decorator that also describes the parameter in the API document. */
export function describedParameter(bind: ParameterDecorator, ...describe: MethodDecorator[]): ParameterDecorator {
  return (target, name, index) => {
    bind(target, name, index);
    const method = Object.getOwnPropertyDescriptor(target, name as string) as TypedPropertyDescriptor<unknown>;
    for (const one of describe) one(target, name as string, method as never);
  };
}
