package com.amazonaws.services.lambda.runtime;

/**
 * A function from values to values.
 *
 * @param <I> what the event's JSON is read as
 * @param <O> what the answer's JSON is made from
 */
public interface RequestHandler<I, O> {
  O handleRequest(I input, Context context);
}
