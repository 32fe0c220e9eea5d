"""DynamoDB: encryption, table class and indexes changed in place, with AWS's refusals.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
"""

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from patch import refusing, replaces

refuse = refusing("dynamodb")


@replaces(DynamoHandler)
def create_table(old, self):
    old(self)
    return changed(self)


@replaces(DynamoHandler)
def update_table(old, self):
    old(self)
    return changed(self)


def changed(self):
    table = self.dynamodb_backend.get_table(self.body["TableName"])
    encryption = self.body.get("SSESpecification")
    if encryption:
        key = encryption.get("KMSMasterKeyId")
        if key and not key.startswith("arn:"):
            encryption["KMSMasterKeyId"] = f"arn:aws:kms:{self.region}:{self.current_account}:key/{key}"
        table.sse_specification = encryption
    if "TableClass" in self.body:
        table.table_class = self.body["TableClass"]
    return DynamoResult(table.describe())


@replaces(Table)
def describe(old, self, base_key="TableDescription"):
    told = old(self, base_key)
    told[base_key]["TableClassSummary"] = {"TableClass": getattr(self, "table_class", "STANDARD")}
    return told


@replaces(DynamoDBBackend)
def update_table_streams(old, self, table, stream_specification):
    if not stream_specification.get("StreamEnabled"):
        table.latest_stream_label = None
    elif (table.stream_specification or {}).get("StreamEnabled"):
        refuse("ValidationException", "Table already has an enabled stream")
    return old(self, table, stream_specification)


@replaces(DynamoDBBackend)
def update_table_global_indexes(old, self, table, global_index_updates):
    names = {index.name for index in table.global_indexes}
    for update in global_index_updates:
        for action in ("Update", "Delete"):
            name = update.get(action, {}).get("IndexName")
            if name and name not in names:
                refuse("ResourceNotFoundException", f"Requested resource not found: Index: {name} not found")
        name = update.get("Create", {}).get("IndexName")
        if name in names:
            refuse("ValidationException", f"Attempting to create an index which already exists: {name}")
    return old(self, table, global_index_updates)
