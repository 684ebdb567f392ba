package com.amazonaws.services.lambda.runtime;

/** Who invoked the function. */
public interface CognitoIdentity {
  String getIdentityId();

  String getIdentityPoolId();
}
