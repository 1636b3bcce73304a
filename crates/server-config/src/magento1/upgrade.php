<?php
/*
 * Runs the setup scripts of a new release once, after a flush: the cached configuration is that
 * of the release before.
 */
declare(strict_types=1);

$root = $argv[1];
chdir($root);
require $root . '/app/Mage.php';
Mage::app('admin')->getCacheInstance()->flush();
if (($argv[2] ?? '') === '--cache-only') {
    exit(0);
}
Mage::reset();
Mage::app('admin');
Mage_Core_Model_Resource_Setup::applyAllUpdates();
Mage_Core_Model_Resource_Setup::applyAllDataUpdates();
Mage::app()->getCacheInstance()->flush();
