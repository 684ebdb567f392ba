-- The role that functions get whose deployer names none, and who may use a function decides from here on.

INSERT INTO roles (name, path, role_id, trust, description, max_session_s, tags, sessions_from, created_at)
SELECT
  'hearth-default', '/', 'AROA' || substr(upper(hex(randomblob(16))), 1, 17),
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
  'Of functions that were given no other', 3600, '{}', at, at
FROM (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS at)
WHERE NOT EXISTS (SELECT 1 FROM roles WHERE name = 'hearth-default' COLLATE NOCASE);

INSERT INTO attachments (owner, policy)
SELECT role_id, 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' FROM roles WHERE name = 'hearth-default';

CREATE TRIGGER function_policies_inserted AFTER INSERT ON function_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER function_policies_updated AFTER UPDATE ON function_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER function_policies_deleted AFTER DELETE ON function_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function); END;

-- URLs that were public by their owner's word alone stay public, by the statements that AWS wants.
INSERT INTO function_policies (function, qualifier, revision_id, statements)
SELECT function_name, qualifier, lower(hex(randomblob(16))), json_array(
  json('{"Sid":"FunctionURLAllowPublicAccess","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"*","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}'),
  json('{"Sid":"FunctionURLInvokeAllowPublicAccess","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}'))
FROM function_urls WHERE auth_type = 'NONE'
ON CONFLICT (function, qualifier) DO UPDATE SET
  revision_id = excluded.revision_id,
  statements = (
    SELECT json_group_array(json(value)) FROM (
      SELECT value FROM json_each(function_policies.statements)
      WHERE json_extract(value, '$.Sid') NOT IN ('FunctionURLAllowPublicAccess', 'FunctionURLInvokeAllowPublicAccess')
      UNION ALL SELECT value FROM json_each(excluded.statements)));
