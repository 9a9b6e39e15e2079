"""The URLs."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from .access import views as access
from .operations import health
from .screens import balance, days, desk, echo, find, overview, pages, statement, tasks, tills, transfers

handler400 = "bank.screens.unavailable.bad_request"
handler404 = "bank.screens.unavailable.not_found"
handler500 = "bank.screens.unavailable.server_error"

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("day/", desk.my_day, name="my_day"),
    path("bank/", overview.bank, name="bank"),
    path("refusals/", overview.refusals, name="refusals"),
    path("find/", find.find, name="find"),
    path("accounts/", pages.accounts, name="accounts"),
    path("accounts/open/", tasks.open_account, name="open_account"),
    path("accounts/<int:account_id>/", statement.account, name="account"),
    path("accounts/<int:account_id>/balance/", balance.balance, name="balance"),
    path("accounts/<int:account_id>/deposit/", tasks.deposit, name="deposit"),
    path("accounts/<int:account_id>/deposit/echo/", echo.echo, {"what": "deposit"}, name="deposit_echo"),
    path("accounts/<int:account_id>/withdraw/echo/", echo.echo, {"what": "withdraw"}, name="withdraw_echo"),
    path("accounts/<int:account_id>/withdraw/", tasks.withdraw, name="withdraw"),
    path("accounts/<int:account_id>/close/", tasks.close_account, name="close_account"),
    path("accounts/<int:account_id>/transfer/", transfers.transfer, name="transfer"),
    path("accounts/<int:account_id>/unlock/", tasks.unlock, name="unlock"),
    path("accounts/<int:account_id>/pin/", tasks.change_pin, name="change_pin"),
    path("accounts/<int:account_id>/statement/", statement.on_paper, name="statement"),
    path("accounts/<int:account_id>/statement.csv", statement.download, name="statement_csv"),
    path("receipts/", pages.find_receipt, name="find_receipt"),
    path("receipts/<uuid:command_id>/", pages.receipt, name="receipt"),
    path("receipts/<uuid:command_id>/reverse/", tasks.reverse_entry, name="reverse"),
    path("transfers/", transfers.on_their_way, name="transfers"),
    path("till/", tills.my_till, name="my_till"),
    path("tills/", tills.of_day, name="tills"),
    path("tills/open/", tills.open_till, name="open_till"),
    path("tills/<int:till_id>/<int:shift>/", tills.one_shift, name="shift"),
    path("tills/<int:till_id>/<int:shift>/bring/", tills.bring_cash, name="bring_cash"),
    path("tills/<int:till_id>/<int:shift>/take/", tills.take_cash, name="take_cash"),
    path("tills/<int:till_id>/<int:shift>/close/", tills.close_till, name="close_till"),
    path("tills/<int:till_id>/<int:shift>/close-for/", tills.close_till_for, name="close_till_for"),
    path("days/", days.days, name="days"),
    path("login/", access.LogIn.as_view(), name="login"),
    path("login/code/", access.code, name="code"),
    path("login/second-factor/", access.first_second_factor, name="first_second_factor"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("confirm/", access.confirm, name="confirm"),
    path("own/", access.own, name="own"),
    path("own/password/", access.ChangePassword.as_view(), name="password"),
    path("own/second-factor/", access.own_second_factor, name="second_factor"),
    path("own/sessions/", access.end_sessions, name="end_sessions"),
    path("language/", login_not_required(set_language), name="language"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
