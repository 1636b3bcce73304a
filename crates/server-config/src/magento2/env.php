<?php
/*
 * Magento's deployment configuration, from the environment.
 *
 * Magento lets MAGENTO_DC_DB__CONNECTION__DEFAULT__HOST and the like replace single values, but
 * reads database connections and caches as whole arrays, which it takes from this file alone. So
 * this file builds the arrays from the same variables. It holds no value of its own environment.
 */

$configuration = [
    'MAGE_MODE' => getenv('MAGE_MODE') ?: 'production',
    'x-frame-options' => 'SAMEORIGIN',
    'directories' => ['document_root_is_pub' => true],
    'resource' => ['default_setup' => ['connection' => 'default']],
    'cache_types' => array_fill_keys([
        'config', 'layout', 'block_html', 'collections', 'reflection', 'db_ddl', 'compiled_config',
        'eav', 'customer_notification', 'config_integration', 'config_integration_api', 'full_page',
        'config_webservice', 'translate', 'graphql_query_resolver_result',
    ], 1),
];

/* Variables lose the case of these keys. */
$keys = ['frontname' => 'frontName', 'initstatements' => 'initStatements'];

foreach (getenv() as $name => $value) {
    if (!str_starts_with($name, 'MAGENTO_DC_') || $name === 'MAGENTO_DC__OVERRIDE') {
        continue;
    }
    $node = &$configuration;
    foreach (explode('__', strtolower(substr($name, strlen('MAGENTO_DC_')))) as $key) {
        if (!is_array($node)) {
            $node = [];
        }
        $node = &$node[$keys[$key] ?? $key];
    }
    $node = $value;
    unset($node);
}

return $configuration;
